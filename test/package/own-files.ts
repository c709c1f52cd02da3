/** The fields of a manifest that name files of the package. */
export interface Manifest {
  readonly version: string
  readonly engines: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: Readonly<Record<string, string>>
}

/** The threads, which are started by the path of their file, and what a command runs instead of one. */
const threads = ['worker', 'reader', 'files-worker', 'file-owner'].map((name) => `src/inbox/sqlite/${name}.ts`)

/** The command itself, and those of its commands that have all that they use in one file. */
const commands = ['main', 'quick'].map((name) => `src/cli/${name}.ts`)

/** Lists the modules of src that are a file of the package: what the manifest names, and the threads. */
export function ownFiles({ exports, bin }: Manifest): {
  readonly entries: string[]
  readonly threads: string[]
  readonly commands: string[]
} {
  const named = [
    ...Object.values(exports).map((each) => (typeof each === 'string' ? each : each['default'])),
    ...Object.values(bin)
  ]
  const entries = named.flatMap((file) => /^(?:\.\/)?dist\/(.*)\.js$/u.exec(file ?? '')?.[1] ?? [])
  const paths = entries.map((path) => `src/${path}.ts`).filter((path) => !commands.includes(path))
  return { entries: [...paths, 'src/cli/program.ts'], threads, commands }
}
