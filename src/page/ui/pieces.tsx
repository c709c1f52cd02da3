import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

import type { ApiError } from '../api.ts'
import { visible } from '../text.ts'
import { Icon, type IconName } from './icon.tsx'

/** The head of a view. Has the focus after a navigation, so that a screen reader says where it is. */
export function Head({
  title,
  note,
  children
}: {
  readonly title: string
  readonly note?: ComponentChildren
  readonly children?: ComponentChildren
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Riverhook`
    if (document.activeElement === document.body || document.activeElement?.closest('nav') !== null)
      heading.current?.focus({ preventScroll: true })
  }, [title])
  return (
    <header class="head">
      <div class="head-title">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {note !== undefined && <p class="head-note">{note}</p>}
      </div>
      {children !== undefined && <div class="head-actions">{children}</div>}
    </header>
  )
}

/** An empty view, with the next step. */
export function Empty({
  icon,
  title,
  children
}: {
  readonly icon: IconName
  readonly title: string
  readonly children?: ComponentChildren
}) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** An answer of the server that is an error, with a way on. */
export function Problem({ error, onRetry }: { readonly error: ApiError; readonly onRetry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <Icon name="failures" />
      <p>{visible(error.message)}</p>
      {onRetry !== undefined && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

/** Grey lines of the height of what will be there. */
export function Skeleton({ rows = 8 }: { readonly rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class="skeleton-row">
          <i />
          <i />
          <i />
          <i />
        </div>
      ))}
    </div>
  )
}

interface LoadingProps {
  readonly data: unknown
  readonly error: ApiError | undefined
  readonly reload: () => void
  readonly rows?: number
}

/** The error of a read, or grey lines until its first answer. */
export function Loading({ data, error, reload, rows }: LoadingProps) {
  if (error !== undefined) return <Problem error={error} onRetry={reload} />
  return data === undefined ? <Skeleton {...(rows === undefined ? {} : { rows })} /> : null
}

/**
 * The name of a column, its class, and what its values mean. `c-act`: a column of buttons, whose name is for screen
 * readers alone.
 */
export type Column = readonly [name: string, look?: string, meaning?: string]

/** The head of a table. @param children the columns before the named ones */
export function Columns({
  names,
  children
}: {
  readonly names: readonly Column[]
  readonly children?: ComponentChildren
}) {
  return (
    <thead>
      <tr>
        {children}
        {names.map(([name, look, meaning]) => (
          <th key={name} scope="col" class={look} title={meaning}>
            {look === 'c-act' ? <span class="sr">{name}</span> : name}
          </th>
        ))}
      </tr>
    </thead>
  )
}

/** The way to the next page of a list that has the newest first. */
export function Older({ to }: { readonly to: string }) {
  return (
    <a class="button" href={to}>
      Older
      <Icon name="chevron" />
    </a>
  )
}

/** A line of a list of facts. */
export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** The box of a table that is wider than a phone: it scrolls, by the keyboard too. */
export function Scroll({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <div class="table-box scroll" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  )
}

export interface Choice<Value extends string> {
  readonly value: Value
  readonly label: string
  readonly icon?: IconName
}

/** Two or three choices side by side. */
export function Segmented<Value extends string>({
  label,
  choices,
  value,
  onChange,
  isIcons = false
}: {
  readonly label: string
  readonly choices: readonly Choice<Value>[]
  readonly value: Value
  readonly onChange: (value: Value) => void
  readonly isIcons?: boolean
}) {
  return (
    <div class="segmented" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          aria-label={isIcons ? choice.label : undefined}
          title={isIcons ? choice.label : undefined}
          onClick={() => {
            onChange(choice.value)
          }}
        >
          {choice.icon !== undefined && <Icon name={choice.icon} />}
          {!isIcons && choice.label}
        </button>
      ))}
    </div>
  )
}

/** A badge: an icon, a word and a colour. */
export function Badge({
  tone,
  icon,
  children,
  title
}: {
  readonly tone: Tone
  readonly icon?: IconName
  readonly children: ComponentChildren
  readonly title?: string
}) {
  return (
    <span class={`badge ${tone}`} title={title}>
      {icon !== undefined && <Icon name={icon} />}
      <span class="cut">{children}</span>
    </span>
  )
}

export type Tone = 'good' | 'bad' | 'warn' | 'info' | 'quiet'
