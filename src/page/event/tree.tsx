import { useSignal } from '@preact/signals'

import { ExactNumber } from '../api.ts'
import { counted, visible } from '../text.ts'
import { Badge } from '../ui/pieces.tsx'
import { entriesOf, isBranch, shortText } from './json.ts'
import { marksHere, marksOf, markText, missingFields, type SchemaMark } from './marks.ts'

/** Children that are made at once. The others wait behind a button: a list can have a million. */
const portion = 100

/** Characters of a text that are shown at once. */
const textPortion = 1_000

/** The most fields of an object that is open at the start, and the depth to which it is; deeper on the way to a mark. */
const openFields = 60
const openDepth = 2
const openDepthOfMarks = 5

interface TreeProps {
  readonly value: unknown
  /** Where it differs from its schema. */
  readonly marks: readonly SchemaMark[]
}

/** JSON as a tree. The children of a branch are made when it is opened. */
export function Tree({ value, marks }: TreeProps) {
  return (
    <div class="tree">
      {isBranch(value) ? <Children value={value} depth={0} marks={marks} /> : <Leaf value={value} />}
    </div>
  )
}

interface BranchProps {
  readonly value: object
  readonly depth: number
  readonly marks: readonly SchemaMark[]
}

function Children({ value, depth, marks }: BranchProps) {
  const shown = useSignal(portion)
  const entries = entriesOf(value)
  const isList = Array.isArray(value)
  return (
    <ul>
      {missingFields(marks, value).map(([name, its]) => (
        <li key={`missing ${name}`}>
          <Name text={name} /> <Marks marks={its} />
        </li>
      ))}
      {entries.slice(0, shown.value).map(([key, child]) => {
        const its = marksOf(marks, key, isList)
        return (
          <li key={key}>
            {isBranch(child) ? (
              <Branch name={key} value={child} depth={depth + 1} marks={its} />
            ) : (
              <>
                <Name text={key} /> <Leaf value={child} /> <Marks marks={its} />
              </>
            )}
          </li>
        )
      })}
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

function Branch({ name, value, depth, marks }: BranchProps & { readonly name: string }) {
  const size = Object.keys(value).length
  const isOnWay = marks.some(({ steps }) => steps.length > 0)
  const isOpen = useSignal(depth <= (isOnWay ? openDepthOfMarks : openDepth) && size > 0 && size <= openFields)
  const isList = Array.isArray(value)
  if (size === 0)
    return (
      <>
        <Name text={name} /> <span class="tree-note">{isList ? '[]' : '{}'}</span> <Marks marks={marks} />
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
        <span class="tree-note">{isOpen.value ? sizeText(size, isList) : brief(value, isList, size)}</span>{' '}
        <Marks marks={isOpen.value ? marksHere(marks) : marks} />
      </summary>
      {isOpen.value && <Children value={value} depth={depth} marks={marks} />}
    </details>
  )
}

/** The differences from the schema here. On a closed branch: in it. */
function Marks({ marks }: { readonly marks: readonly SchemaMark[] }) {
  return (
    <>
      {marks.map(({ mismatch }) => (
        <Badge
          key={JSON.stringify(mismatch)}
          tone="warn"
          icon="mismatches"
          title={`${visible(mismatch.path)} differs from the schema of ${
            mismatch.handler === '' ? 'the provider' : visible(mismatch.handler)
          }: ${visible(mismatch.rule)}${mismatch.path.includes('[]') ? ', in at least one entry of the list' : ''}`}
        >
          {visible(markText(mismatch))}
        </Badge>
      ))}
    </>
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
