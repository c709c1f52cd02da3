import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The modules of the package, which is JavaScript without declarations. */
interface Create {
  projectFiles(choice: Readonly<Record<string, string>>): Readonly<Record<string, string>>
  readonly sources: object
}

const load = (name: string): Promise<unknown> => import(new URL(`../examples/create/${name}`, import.meta.url).href)
const { projectFiles } = (await load('project.js')) as Pick<Create, 'projectFiles'>
const { sources } = (await load('sources.js')) as Pick<Create, 'sources'>

interface Project {
  readonly folder: string
  readonly kind: 'standalone' | 'mounted'
  readonly inbox: 'sqlite' | 'postgres'
  readonly source: string
  /** Their paths. */
  readonly files: readonly string[]
}

/**
 * Writes the project of `npm create riverhook` for each combination of answers. Without `package.json`, so that it
 * finds the packages of this clone.
 */
export function projects(parent: string): readonly Project[] {
  const kinds = ['standalone', 'mounted'] as const
  const inboxes = ['sqlite', 'postgres'] as const
  return kinds.flatMap((kind) =>
    inboxes.flatMap((inbox) =>
      Object.keys(sources).map((source) => {
        const name = `${kind}-${inbox}-${source}`
        const folder = join(parent, name)
        const written = Object.entries(projectFiles({ name, kind, source, inbox, version: '0.1.0' }))
        const files = written.flatMap(([path, content]) => {
          if (path === 'package.json') return []
          const file = join(folder, path)
          mkdirSync(dirname(file), { recursive: true })
          writeFileSync(file, content)
          return file
        })
        return { folder, kind, inbox, source, files }
      })
    )
  )
}
