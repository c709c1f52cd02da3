/**
 * Characters that control a terminal, or hide or reorder text: the C0 controls except line feed and tab, DEL, the C1
 * controls, bidirectional marks, and line and paragraph separators.
 */
// eslint-disable-next-line no-control-regex
const controls = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/**
 * Shows control characters as escapes such as `\u001b`, so that text from outside cannot move the cursor, change
 * colours or reorder what a person reads. Inside the strings of a JSON text, the escapes mean the same characters.
 */
export function visible(text: string): string {
  return text.replace(controls, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export interface EventKeys {
  /** The realm of the event. */
  readonly realm: string
  readonly event_id: string
  readonly event_type: string
}

/**
 * The keys that name an event in the log. Control characters become escapes, because a host's logger may write to a
 * terminal.
 */
export function eventKeys(realm: string, { id, type }: { readonly id: string; readonly type: string }): EventKeys {
  return { realm, event_id: visible(id), event_type: visible(type) }
}
