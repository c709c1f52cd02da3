import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'

import { Icon, type IconName } from './icon.tsx'

interface DialogButtonProps {
  readonly icon: IconName
  readonly label: string
  readonly hint?: string | undefined
  /** True to show the icon alone, where there is little room. */
  readonly isIcon?: boolean
  readonly dialog: (onClose: (isDone: boolean) => void) => ComponentChildren
  /** Called when the dialog is closed after it has changed something. */
  readonly onDone: () => void
}

/** A button that opens a dialog. */
export function DialogButton({ icon, label, hint, isIcon = false, dialog, onDone }: DialogButtonProps) {
  const isOpen = useSignal(false)
  return (
    <>
      <button
        type="button"
        class="button"
        title={hint}
        aria-label={isIcon ? label : undefined}
        onClick={() => {
          isOpen.value = true
        }}
      >
        <Icon name={icon} />
        {!isIcon && label}
      </button>
      {isOpen.value &&
        dialog((isDone) => {
          isOpen.value = false
          if (isDone) onDone()
        })}
    </>
  )
}
