import { routes } from '../../src/admin/routes/index.ts'

// The table of the routes of the operator's API, made from the routes.

export const apiPage = new URL('../../docs/admin-api.md', import.meta.url)
export const routesTableName = 'routes of the API'

export function routesTable(): string {
  const rows = routes.map(
    ({ method, path, scope, schema: { summary } }) =>
      `| \`${method} ${path}\` | ${scope === 'none' ? '' : `\`${scope}\``} | ${summary} |`
  )
  return ['| route | scope | what it does |', '|---|---|---|', ...rows].join('\n')
}
