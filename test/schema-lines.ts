/** JSON with a line for each schema, so that a diff shows which one changed. */
export function linesOf(schemas: Readonly<Record<string, object>>): string {
  const lines = Object.entries(schemas).map(([name, schema]) => `  ${JSON.stringify(name)}: ${JSON.stringify(schema)}`)
  return `{\n${lines.join(',\n')}\n}\n`
}
