import { visible } from '../text.ts'
import { Icon } from './icon.tsx'

interface ChipProps {
  readonly name: string
  readonly value: string
  /** The address without this condition. Missing: it cannot be removed. */
  readonly without?: string
}

/** A condition of a filter. */
export function Chip({ name, value, without }: ChipProps) {
  return (
    <li class="chip">
      <span class="chip-name">{name}</span>
      <span class="chip-value" title={visible(value)}>
        {visible(value)}
      </span>
      {without !== undefined && (
        <a href={without} aria-label={`Remove the filter ${name}`} title="Remove">
          <Icon name="close" />
        </a>
      )}
    </li>
  )
}
