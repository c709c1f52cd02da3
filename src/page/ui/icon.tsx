/** Outlines on a grid of 16, drawn with a line of 1.5. */
const paths = {
  events: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  handlers: 'M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z',
  failures: 'M8 2 14.5 13.5h-13zM8 6.5v3M8 11.6v.1',
  quarantine: 'M8 1.8 13.3 4v4c0 3.2-2.2 5.3-5.3 6.3C4.9 13.3 2.7 11.2 2.7 8V4zM8 5.3v3M8 10.6v.1',
  mismatches: 'M2.5 6h11M2.5 10h11M10 3 6 13',
  registration: 'M6.5 9.5l3-3M7 4.8l1.4-1.4a3 3 0 0 1 4.2 4.2L11.2 9M9 11.2l-1.4 1.4a3 3 0 0 1-4.2-4.2L4.8 7',
  backfill: 'M2.5 8a5.5 5.5 0 1 0 1.7-4M2.5 2.5V5h2.5M8 5v3.2l2.2 1.3',
  inbox: 'M2 9.5h3.5l1 2h3l1-2H14M2 9.5 4 3h8l2 6.5v3.5H2z',
  audit: 'M4 2h8v12H4zM6.3 5.2h3.4M6.3 8h3.4M6.3 10.8h2',
  jobs: 'M3 3.5v9l4.5-4.5zM8.5 3.5v9L13 8z',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.2 3.2',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  check: 'M3 8.5l3.2 3L13 4.5',
  close: 'M4 4l8 8M12 4l-8 8',
  chevron: 'M6 3.5 10.5 8 6 12.5',
  down: 'M3.5 6 8 10.5 12.5 6',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  filter: 'M2 3.5h12M4.5 8h7M6.5 12.5h3',
  replay: 'M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 2.5V5H11',
  more: 'M3.5 8h.1M8 8h.1M12.5 8h.1',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z',
  screen: 'M2 3h12v8H2zM5.5 13.5h5',
  out: 'M6.5 2.5h-4v11h4M6.5 8h7M10.5 5l3 3-3 3',
  keyboard: 'M1.5 4h13v8.5h-13zM4 6.7h.1M6.7 6.7h.1M9.3 6.7h.1M12 6.7h.1M5 10h6',
  download: 'M8 2.5v7.5M4.5 7 8 10.5 11.5 7M2.5 13.5h11',
  trash: 'M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M4.5 3v10l8-5z',
  // One shape for each state, so that colour is never alone.
  done: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M5.3 8.2l1.9 1.9 3.5-3.9',
  dead: 'M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM6 6l4 4M10 6l-4 4',
  retry: 'M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 2.5V5H11M8 5.2v3l2 1.2',
  pending: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.8V8l2.2 1.4',
  waiting: 'M3.5 4.5h9M3.5 8h6M3.5 11.5h3',
  running: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6.7 5.5v5L10.6 8z',
  parked: 'M2.5 2.5h11v11h-11zM6.5 11V5h2a1.7 1.7 0 0 1 0 3.5h-2'
} as const

export type IconName = keyof typeof paths

/** A picture beside words that say the same: nothing for a screen reader. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
