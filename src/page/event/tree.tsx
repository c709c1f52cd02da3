import { useSignal } from '@preact/signals'

import { ExactNumber } from '../api.ts'
import { counted, visible } from '../text.ts'
import { entriesOf, isBranch, shortText } from './json.ts'

/** Children that are made at once. The others wait behind a button: a list can have a million. */
const portion = 100

/** Characters of a text that are shown at once. */
const textPortion = 1_000

/** The most fields of an object that is open at the start, and the depth to which it is. */
const openFields = 24
const openDepth = 2

/** JSON as a tree. The children of a branch are made when it is opened. */
export function Tree({ value }: { readonly value: unknown }) {
  return <div class="tree">{isBranch(value) ? <Children value={value} depth={0} /> : <Leaf value={value} />}</div>
}

function Children({ value, depth }: { readonly value: object; readonly depth: number }) {
  const shown = useSignal(portion)
  const entries = entriesOf(value)
  return (
    <ul>
      {entries.slice(0, shown.value).map(([key, child]) => (
        <li key={key}>
          {isBranch(child) ? (
            <Branch name={key} value={child} depth={depth + 1} />
          ) : (
            <>
              <Name text={key} /> <Leaf value={child} />
            </>
          )}
        </li>
      ))}
      {entries.length > shown.value && (
        <li>
          <button
            type="button"
            class="link"
            onClick={() => {
              shown.value += portion
            }}
          >
            {counted(entries.length - shown.value, 'more').replace('mores', 'more')}
          </button>
        </li>
      )}
    </ul>
  )
}

function Branch({ name, value, depth }: { readonly name: string; readonly value: object; readonly depth: number }) {
  const size = Object.keys(value).length
  const isOpen = useSignal(depth <= openDepth && size > 0 && size <= openFields)
  const isList = Array.isArray(value)
  if (size === 0)
    return (
      <>
        <Name text={name} /> <span class="tree-note">{isList ? '[]' : '{}'}</span>
      </>
    )
  return (
    <details
      open={isOpen.value}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open
      }}
    >
      <summary>
        <Name text={name} />{' '}
        <span class="tree-note">{isOpen.value ? sizeText(size, isList) : brief(value, isList, size)}</span>
      </summary>
      {isOpen.value && <Children value={value} depth={depth} />}
    </details>
  )
}

function Name({ text }: { readonly text: string }) {
  return <span class="tree-name">{visible(text)}</span>
}

function sizeText(size: number, isList: boolean): string {
  return counted(size, isList ? 'entry' : 'field')
}

/** A closed branch: a look at what is in it. */
function brief(value: object, isList: boolean, size: number): string {
  const simple = entriesOf(value)
    .filter(([, child]) => !isBranch(child))
    .slice(0, 3)
    .map(([key, child]) => `${isList ? '' : `${visible(key)}: `}${visible(shortText(child).slice(0, 40))}`)
  return simple.length === 0 ? sizeText(size, isList) : `${sizeText(size, isList)} · ${simple.join(', ')}`
}

function Leaf({ value }: { readonly value: unknown }) {
  const isWhole = useSignal(false)
  if (typeof value === 'string') {
    const isLong = value.length > textPortion && !isWhole.value
    return (
      <span class="tree-text">
        "{visible(isLong ? value.slice(0, textPortion) : value)}"
        {isLong && (
          <button
            type="button"
            class="link"
            onClick={() => {
              isWhole.value = true
            }}
          >
            {' '}
            all {counted(value.length, 'character')}
          </button>
        )}
      </span>
    )
  }
  return (
    <span class={typeof value === 'number' || value instanceof ExactNumber ? 'tree-number' : 'tree-word'}>
      {shortText(value)}
    </span>
  )
}
