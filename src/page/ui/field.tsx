import type { ComponentChildren } from 'preact'

import { Icon } from './icon.tsx'

interface FieldProps {
  readonly label: string
  readonly name: string
  readonly placeholder?: string
  readonly value?: string | undefined
  readonly hint?: string
  /** The id of a list of suggestions. */
  readonly list?: string
}

/** A line of text in a form. Without `value`, so that an answer does not undo what a person has typed meanwhile. */
export function Field({ label, name, placeholder, value, hint, list }: FieldProps) {
  return (
    <label title={hint}>
      {label}
      <input
        name={name}
        list={list}
        placeholder={placeholder}
        defaultValue={value}
        autocomplete="off"
        spellcheck={false}
      />
    </label>
  )
}

interface SelectProps {
  /** Its name in a form. */
  readonly name?: string
  readonly value?: string
  readonly onChange?: (value: string) => void
  readonly children: ComponentChildren
}

/** A menu of choices. */
export function Select({ name, value, onChange, children }: SelectProps) {
  return (
    <span class="select">
      <select
        name={name}
        {...(value === undefined ? {} : { value })}
        onChange={(event) => {
          onChange?.(event.currentTarget.value)
        }}
      >
        {children}
      </select>
      <Icon name="down" />
    </span>
  )
}
