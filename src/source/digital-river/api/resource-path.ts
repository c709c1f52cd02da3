import { RiverhookError } from '../../../model/errors.ts'

/**
 * The path of one resource.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an id that would give the path of the list, or of something
 * above it
 */
export function resourcePath(root: string, id: string): string {
  // URL resolves "." and ".." in every spelling, and an empty id gives the path of the list.
  if (typeof id !== 'string' || /^\.{0,2}$/.test(id)) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `The id for ${root}/{id} must be text, but not empty, "." or ".."`
    )
  }
  return `${root}/${encodeURIComponent(id.toWellFormed())}`
}
