import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import ts from 'typescript'

import { listTypes } from './prune-types.ts'

const typeBox = 'typebox'
const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias

/**
 * Writes the types that are derived from TypeBox schemas out in full, in the declarations that the exports of a package
 * lead to. A compiler that checks declarations would otherwise compute TypeBox's own types for twenty seconds. Call it
 * after the build.
 */
export function writePlainTypes(folder: string): void {
  const files = [...listTypes(folder)].map((path) => join(folder, path))
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ESNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: ['node']
  })
  const checker = program.getTypeChecker()
  for (const path of files) {
    const file = program.getSourceFile(path)
    if (file?.text.includes(typeBox) === true) writeFileSync(path, plainText(file, checker))
  }
}

function isTypeBox({ moduleSpecifier }: ts.ImportDeclaration): boolean {
  return ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text === typeBox
}

/** The text of a file without TypeBox, and without the imports that only its types needed. */
function plainText(file: ts.SourceFile, checker: ts.TypeChecker): string {
  const imports = file.statements.filter(ts.isImportDeclaration).filter((statement) => !isTypeBox(statement))
  const rest = file.statements.filter((statement) => !ts.isImportDeclaration(statement))
  const derived = new RegExp(`\\btypeof\\b|\\b(?:${listDropped(file).join('|')})\\b`, 'u')
  const body = rest.map((statement) => plainStatement(statement, file, checker, derived)).join('')
  const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`, 'u').test(body)
  const kept = imports.flatMap(({ importClause, moduleSpecifier }) => {
    const named = importClause?.namedBindings
    if (named === undefined || !ts.isNamedImports(named)) throw new Error(`${file.fileName} has an import by default`)
    const names = named.elements.filter(({ name }) => isUsed(name.text)).map((element) => element.getText(file))
    return names.length === 0 ? [] : [`import { ${names.join(', ')} } from ${moduleSpecifier.getText(file)};\n`]
  })
  return `${kept.join('')}${body}`
}

/** The names that the new text does not have: those of TypeBox, and those of types and schemas of the file alone. */
function listDropped(file: ts.SourceFile): readonly string[] {
  return file.statements.flatMap((statement) => {
    if (ts.isImportDeclaration(statement)) {
      const named = isTypeBox(statement) ? statement.importClause?.namedBindings : undefined
      return named !== undefined && ts.isNamedImports(named) ? named.elements.map(({ name }) => name.text) : []
    }
    return !isExported(statement) && ts.isTypeAliasDeclaration(statement) ? [statement.name.text] : []
  })
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : []
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
}

/** @param derived finds what is derived from a schema */
function plainStatement(
  statement: ts.Statement,
  file: ts.SourceFile,
  checker: ts.TypeChecker,
  derived: RegExp
): string {
  const comment = commentOf(statement, file)
  if (ts.isVariableStatement(statement)) {
    const names = isExported(statement) ? statement.declarationList.declarations : []
    return names
      .map(({ name }) => {
        const type = valueOf(checker.getTypeAtLocation(name), checker)
        return `${comment}export declare const ${name.getText(file)}: ${type};\n`
      })
      .join('')
  }
  if (ts.isTypeAliasDeclaration(statement)) {
    if (!isExported(statement)) return ''
    const type = checker.typeToString(checker.getTypeAtLocation(statement.name), statement, flags)
    if (derived.test(statement.type.getText(file))) return `${comment}export type ${statement.name.text} = ${type};\n`
  } else if (ts.isInterfaceDeclaration(statement) && derived.test(statement.getText(file)))
    return `${comment}export interface ${statement.name.text} {\n${fieldsOf(statement, checker)}}\n`
  return `${comment}${statement.getText(file)}\n`
}

/**
 * The type of a schema, of an object whose fields are schemas, or of another value that only types needed. What matters
 * to users is the JSON of a schema.
 */
function valueOf(type: ts.Type, checker: ts.TypeChecker): string {
  const fields = type.getProperties().map((field) => [field.name, checker.getTypeOfSymbol(field)] as const)
  if (!isSchema(type)) {
    const schemas = fields.map(([name, field]) => ` readonly ${name}: ${valueOf(field, checker)};`)
    return fields.every(([, field]) => isSchema(field)) ? `{${schemas.join('')} }` : 'object'
  }
  // A schema without required fields has no such list.
  const list = fields.find(([name]) => name === 'required')?.[1]
  const isRequired = list !== undefined && (list.flags & ts.TypeFlags.Undefined) === 0
  const required = isRequired ? ' readonly required: readonly string[];' : ''
  return `{ readonly type: 'object'; readonly properties: Readonly<Record<string, object>>;${required} }`
}

function isSchema(type: ts.Type): boolean {
  return type.getProperty('properties') !== undefined
}

/** The fields of an interface, those that it inherits too, with their comments. */
function fieldsOf(statement: ts.InterfaceDeclaration, checker: ts.TypeChecker): string {
  const fields = checker.getPropertiesOfType(checker.getTypeAtLocation(statement.name))
  return fields
    .toSorted((one, other) => placeOf(one) - placeOf(other))
    .map((field) => {
      const isOptional = (field.flags & ts.SymbolFlags.Optional) !== 0
      const optional = isOptional ? '?' : ''
      const name = /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(field.name) ? field.name : JSON.stringify(field.name)
      const type = checker.typeToString(checker.getTypeOfSymbol(field), statement, flags)
      const own = isOptional ? type.replace(/ \| undefined$/u, '') : type
      const text = ts.displayPartsToString(field.getDocumentationComment(checker))
      const comment = text === '' ? '' : `    /** ${text.split('\n').join('\n     * ')} */\n`
      return `${comment}    ${name}${optional}: ${own};\n`
    })
    .join('')
}

/** Those of another file, which several resources share, come first or last together. */
function placeOf({ declarations: [declaration] = [] }: ts.Symbol): number {
  return declaration?.pos ?? 0
}

function commentOf(statement: ts.Statement, file: ts.SourceFile): string {
  const ranges = ts.getLeadingCommentRanges(file.text, statement.getFullStart()) ?? []
  return ranges.map(({ pos, end }) => `${file.text.slice(pos, end)}\n`).join('')
}
