import { readdirSync, readFileSync } from 'node:fs'

import t from 'tap'
import ts from 'typescript'

// Risk: no explanation of a field in the editor, if the name alone does not give a unit, a reference or a state. Only
// the syntax is checked, without a type check. test/package/tarball.ts checks that the built package keeps the
// comments.

const folder = new URL('../../../src/source/digital-river/resources/', import.meta.url)
/** The first has no separate resource. The second lists them. */
const others = ['kinds.ts', 'index.ts']
const files = readdirSync(folder)
  .filter((name) => !others.includes(name))
  .map((name) => ts.createSourceFile(name, readFileSync(new URL(name, folder), 'utf8'), ts.ScriptTarget.Latest, true))

function* nodesIn(node: ts.Node): Generator<ts.Node> {
  yield node
  // A list, because forEachChild stops at a visitor that returns a value.
  const children: ts.Node[] = []
  ts.forEachChild(node, (child) => {
    children.push(child)
  })
  for (const child of children) yield* nodesIn(child)
}

/** The place that an editor would show: the field as `address.ts: addressSchema.line1`. */
function nameOf(field: ts.ObjectLiteralElementLike): string {
  const declared = ts.findAncestor(field, ts.isVariableDeclaration)
  return `${field.getSourceFile().fileName}: ${declared?.name.getText() ?? '?'}.${field.name?.getText() ?? '?'}`
}

function commentOf(field: ts.Node): string {
  const [comment] = ts.getJSDocCommentsAndTags(field)
  return comment === undefined ? '' : (ts.getTextOfJSDocComment(comment.comment) ?? '')
}

t.test('every field of every resource has a description', async (t) => {
  const fields = files.flatMap((file) => [...nodesIn(file)].filter(ts.isPropertyAssignment))
  t.ok(fields.length > 500, 'there are fields')
  t.same(fields.filter((field) => commentOf(field).length < 4).map(nameOf), [])
})

t.test('every resource has a description', async (t) => {
  const interfaces = files.flatMap((file) => [...nodesIn(file)].filter(ts.isInterfaceDeclaration))
  t.ok(interfaces.length > 80, 'there are resources')
  t.same(
    interfaces.filter((each) => commentOf(each) === '').map(({ name }) => name.text),
    []
  )
})

t.test(
  'a schema names its groups, because a type that the compiler expands loses the comments of spread fields',
  async (t) => {
    const made = files.flatMap((file) => [...nodesIn(file)].filter(ts.isSpreadAssignment)).map(({ parent }) => parent)
    t.ok(made.length > 20, 'there are groups')
    for (const object of new Set(made)) {
      const declared = ts.findAncestor(object, ts.isVariableDeclaration)
      const spread = object.properties.map((group) =>
        ts.isSpreadAssignment(group) ? group.expression.getText() : 'a field'
      )
      const named =
        declared?.type === undefined
          ? []
          : [...nodesIn(declared.type)].filter(ts.isTypeQueryNode).map(({ exprName }) => exprName.getText())
      t.same(named.sort(), spread.sort(), `${object.getSourceFile().fileName}: ${declared?.name.getText() ?? '?'}`)
    }
  }
)
