import { ApiError } from '../../http/api-error.ts'

export type { ApiErrorDetail, ApiErrorFacts } from '../../http/api-error.ts'

/** A failed call of Digital River's API. */
export class DigitalRiverApiError extends ApiError {
  override readonly name = 'DigitalRiverApiError'
}
