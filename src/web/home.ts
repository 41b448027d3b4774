/** The server this page belongs to: its own origin, or of an embedded chat that of its script. */
export const home = { origin: location.origin };
