/** False for a key that is typed into a field, belongs to a shortcut of the browser, or is for an open dialog. */
export function isSingleKey(event: KeyboardEvent): boolean {
  const { target } = event
  return (
    !event.ctrlKey &&
    !event.metaKey &&
    !event.altKey &&
    !event.defaultPrevented &&
    !(
      target instanceof HTMLElement && target.closest('input:not([type="checkbox"]), textarea, select, dialog') !== null
    )
  )
}
