import { join } from 'node:path'

/** The folder of `riverhook dev` in the current one. */
export const devFolder = '.riverhook'

/** The file that `riverhook dev` leaves for the commands beside it. */
export const devFilePath = join(devFolder, 'dev.json')
