import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

import { ActProblem } from './act-problem.tsx'
import { Icon } from './icon.tsx'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  /** The word of the button that closes it. `Close`: all is done, and the button takes the focus. */
  readonly cancel?: 'Cancel' | 'Close'
  /** True while an act is under way. Until its answer is there, the dialog stays open. */
  readonly isBusy?: boolean | undefined
  /** Describes what went wrong. */
  readonly problem?: string | undefined
  /** The buttons beside the one that closes it. Missing: it has no buttons. */
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}

const focus = (element: HTMLElement | null): void => element?.focus()

/** A modal dialog. Escape and a click beside it close it. The focus goes back to what opened it. */
export function Dialog({ title, onClose, cancel = 'Cancel', isBusy = false, problem, actions, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const opener = document.activeElement
    element.current?.showModal()
    return () => {
      if (opener instanceof HTMLElement) opener.focus()
    }
  }, [])
  const close = (): void => {
    if (!isBusy) onClose()
  }
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={id}
      onClose={() => {
        // Escape has closed it.
        if (isBusy) element.current?.showModal()
        close()
      }}
      onClick={(event) => {
        if (event.target === element.current) close()
      }}
    >
      <div class="dialog-box">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="ghost" aria-label="Close" disabled={isBusy} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
        <ActProblem text={problem} />
        {actions !== undefined && (
          <footer>
            <button
              key={cancel}
              ref={cancel === 'Close' ? focus : null}
              type="button"
              class="button"
              disabled={isBusy}
              onClick={close}
            >
              {cancel}
            </button>
            {actions}
          </footer>
        )}
      </div>
    </dialog>
  )
}
