import { visible } from '../text.ts'

/** What went wrong with something that a person asked for. */
export function ActProblem({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : (
    <p class="field-error" role="alert">
      {visible(text)}
    </p>
  )
}
