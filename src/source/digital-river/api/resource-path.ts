import { RiverhookError } from '../../../model/errors.ts'

/**
 * The path of one resource.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an id that would make the path of something else: the list, or
 * what is above it
 */
export function resourcePath(root: string, id: string): string {
  // URL resolves "." and ".." in whatever spelling, and an empty id is the list itself.
  if (typeof id !== 'string' || /^\.{0,2}$/.test(id)) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `The id for ${root}/{id} must be a text that is not empty, "." or ".."`
    )
  }
  return `${root}/${encodeURIComponent(id.toWellFormed())}`
}
