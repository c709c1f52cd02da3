import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'
export type Zone = 'local' | 'utc'

const stored = (name: string): string | null => {
  try {
    return localStorage.getItem(`riverhook.${name}`)
  } catch {
    // Storage is forbidden in this browser: settings last as long as the page.
    return null
  }
}

const store = (name: string, value: string): void => {
  try {
    localStorage.setItem(`riverhook.${name}`, value)
  } catch {
    // As above.
  }
}

const oneOf = <Value extends string>(values: readonly Value[], text: string | null, otherwise: Value): Value =>
  values.find((value) => value === text) ?? otherwise

export const theme = signal<Theme>(oneOf(['system', 'light', 'dark'], stored('theme'), 'system'))
export const zone = signal<Zone>(
  oneOf(['local', 'utc'], new URLSearchParams(location.search).get('tz') ?? stored('zone'), 'local')
)
/** Whether single keys are commands. They can get in the way of speech input (WCAG 2.1.4). */
export const hasKeys = signal(stored('keys') !== 'off')

effect(() => {
  document.documentElement.dataset['theme'] = theme.value
  store('theme', theme.value)
})
effect(() => {
  store('zone', zone.value)
})
effect(() => {
  store('keys', hasKeys.value ? 'on' : 'off')
})
