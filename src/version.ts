/** The version that `GET /healthz` tells; a unit test holds it equal to package.json. */
export const VERSION = '0.1.0';
