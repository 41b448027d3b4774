import type { JSX } from 'preact';

/** Line icons of one family: 20 × 20, drawn with the text's own colour. */
const PATHS = {
  send: 'M10 16V4.5M10 4.5 5 9.5M10 4.5l5 5',
  stop: 'M6.5 6.5h7v7h-7z',
  down: 'M10 4v11.5M10 15.5l-5-5M10 15.5l5-5',
  sun: 'M10 6.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6zM10 1.8v1.6M10 16.6v1.6M1.8 10h1.6M16.6 10h1.6M4.2 4.2l1.1 1.1M14.7 14.7l1.1 1.1M4.2 15.8l1.1-1.1M14.7 5.3l1.1-1.1',
  moon: 'M16.4 12.2A7 7 0 0 1 7.8 3.6a7 7 0 1 0 8.6 8.6z',
  leave: 'M8 3.5H5a1.5 1.5 0 0 0-1.5 1.5v10A1.5 1.5 0 0 0 5 16.5h3M13 13.5 16.5 10 13 6.5M16.5 10H8',
  copy: 'M7.5 7.5V5A1.5 1.5 0 0 1 9 3.5h6A1.5 1.5 0 0 1 16.5 5v6a1.5 1.5 0 0 1-1.5 1.5h-2.5M5 7.5h6A1.5 1.5 0 0 1 12.5 9v6a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15V9A1.5 1.5 0 0 1 5 7.5z',
  check: 'M4.5 10.5l3.6 3.6 7.4-8.2',
  cross: 'M5.5 5.5l9 9M14.5 5.5l-9 9',
  chevron: 'M7.5 5l5 5-5 5',
  file: 'M11.5 2.8H6A1.5 1.5 0 0 0 4.5 4.3v11.4A1.5 1.5 0 0 0 6 17.2h8a1.5 1.5 0 0 0 1.5-1.5V6.8zM11.5 2.8v4h4',
  download: 'M10 3.5v9M10 12.5l-3.6-3.6M10 12.5l3.6-3.6M4 16.5h12',
  wrench:
    'M12.6 3.6a4 4 0 0 0-4.9 5.2L3.4 13a1.7 1.7 0 0 0 0 2.4l1.2 1.2a1.7 1.7 0 0 0 2.4 0l4.2-4.3a4 4 0 0 0 5.2-4.9l-2.5 2.4-2.4-.7-.7-2.4z',
  question:
    'M7.4 7.4a2.7 2.7 0 1 1 3.9 2.5c-.8.4-1.3 1-1.3 1.9M10 14.6v.1M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15z',
  alert: 'M10 6.5v4M10 13.4v.1M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15z',
  clock: 'M10 5.8V10l2.8 1.7M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15z',
  plus: 'M10 4v12M4 10h12',
  search: 'M8.8 3.5a5.3 5.3 0 1 1 0 10.6 5.3 5.3 0 0 1 0-10.6zM12.7 12.7l3.8 3.8',
  pencil: 'M12.6 4.6l2.8 2.8M4 16l.7-3.4 8.4-8.4a1.3 1.3 0 0 1 1.8 0l.9.9a1.3 1.3 0 0 1 0 1.8l-8.4 8.4z',
  bin: 'M3.8 5.5h12.4M8 5.5V4.2A.9.9 0 0 1 8.9 3.3h2.2a.9.9 0 0 1 .9.9v1.3M5.3 5.5l.7 10a1.3 1.3 0 0 0 1.3 1.2h5.4a1.3 1.3 0 0 0 1.3-1.2l.7-10M8.5 8.8v4.5M11.5 8.8v4.5',
  menu: 'M3.5 6h13M3.5 10h13M3.5 14h13',
  clip: 'M15.6 9.3l-5.8 5.8a3.6 3.6 0 0 1-5.1-5.1l6.2-6.2a2.4 2.4 0 0 1 3.4 3.4l-6.1 6.1a1.2 1.2 0 0 1-1.7-1.7l5.4-5.4',
  reply: 'M7.5 5 3.5 9l4 4M3.5 9h7a6 6 0 0 1 6 6v.5',
  bell: 'M10 3a4.6 4.6 0 0 0-4.6 4.6c0 4.2-1.7 5.6-1.7 5.6h12.6s-1.7-1.4-1.7-5.6A4.6 4.6 0 0 0 10 3zM8.5 16a1.7 1.7 0 0 0 3 0',
  globe:
    'M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15zM2.8 10h14.4M10 2.5c2 2.1 3 4.6 3 7.5s-1 5.4-3 7.5c-2-2.1-3-4.6-3-7.5s1-5.4 3-7.5z',
  pulse: 'M2.5 10h3.4l2-5.5 3.6 11 2.4-5.5h3.6',
  retry: 'M16 10a6 6 0 1 1-1.8-4.3M16 3.5v3h-3',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

const STAR =
  'M0-12.5c1.2 7.6 3.4 10 10.2 11.4C3.4.3 1.2 2.7 0 10.3-1.2 2.7-3.4.3-10.2-1.1-3.4-2.5-1.2-4.9 0-12.5z';

/** A star on a wire. */
export function Logo({ size = 24 }: { size?: number }): JSX.Element {
  return (
    <svg class="logo" width={size} height={size} viewBox="-16 -16 32 32" aria-hidden="true" focusable="false">
      <path class="logo-wire" d="M-15 5.6Q0 11.4 15 5.6" />
      <path class="logo-star" d={STAR} />
    </svg>
  );
}

/** The same, large: the wire comes from one side of the page and goes to the other. */
export function Emblem(): JSX.Element {
  return (
    <svg
      class="logo emblem"
      width="240"
      height="60"
      viewBox="-64 -16 128 32"
      aria-hidden="true"
      focusable="false"
    >
      <defs>
        <linearGradient id="wire" gradientUnits="userSpaceOnUse" x1="-64" x2="64">
          <stop offset="0" stop-color="currentColor" stop-opacity="0" />
          <stop offset="0.3" stop-color="currentColor" stop-opacity="0.7" />
          <stop offset="0.7" stop-color="currentColor" stop-opacity="0.7" />
          <stop offset="1" stop-color="currentColor" stop-opacity="0" />
        </linearGradient>
      </defs>
      <path class="emblem-wire" d="M-62 2.5Q0 14.5 62 2.5" stroke="url(#wire)" />
      <path class="logo-star" d={STAR} />
    </svg>
  );
}

/** The star alone; it twinkles while something is under way. */
export function Twinkle(): JSX.Element {
  return (
    <svg class="twinkle" width="18" height="18" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d="M10 1c.9 6.2 2.6 8 8 9-5.4 1-7.1 2.8-8 9-.9-6.2-2.6-8-8-9 5.4-1 7.1-2.8 8-9z" />
    </svg>
  );
}
