// Keeps every query of the store performed: one that nobody performs does nothing, and the compiler does not mind.

import { readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'

const folder = resolve('src/store')

function programOf(files: readonly string[], texts: Readonly<Record<string, string>> = {}): ts.Program {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', ts.sys.readFile).config,
    ts.sys,
    '.',
  )
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists } = host
  host.readFile = (file) => texts[file] ?? readFile(file)
  host.fileExists = (file) => file in texts || fileExists(file)
  return ts.createProgram([...files, ...Object.keys(texts)], options, host)
}

function isChoice({ operatorToken }: ts.BinaryExpression): boolean {
  return operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken
}

/** The places where a query is made that nobody performs. */
function unperformed(program: ts.Program): string[] {
  const checker = program.getTypeChecker()
  const isQuery = (type: ts.Type): boolean =>
    /^(Query<|Generator<readonly Request\[\],)/.test(checker.typeToString(type))
  const asks = (type: ts.Type): boolean => type.getCallSignatures().some((made) => isQuery(made.getReturnType()))

  /** Whether what is made here is performed, or given to somebody who performs it. */
  function isPerformed(made: ts.Expression): boolean {
    const { parent } = made
    if (ts.isParenthesizedExpression(parent) || ts.isConditionalExpression(parent)) return isPerformed(parent)
    if (ts.isBinaryExpression(parent)) return isChoice(parent) && isPerformed(parent)
    // As one of those that are performed together.
    if (ts.isArrayLiteralExpression(parent))
      return ts.isCallExpression(parent.parent) && isQuery(checker.getTypeAtLocation(parent.parent))
    if (ts.isVariableDeclaration(parent)) return ts.isSourceFile(parent.parent.parent.parent)
    if (ts.isYieldExpression(parent)) return parent.asteriskToken !== undefined
    return ts.isReturnStatement(parent) || ts.isArrowFunction(parent) || ts.isCallExpression(parent)
  }

  /** Whether a function that asks is given to one that does not know of it, as `forEach` is. */
  function isForgotten(call: ts.CallExpression): boolean {
    const wanted = checker.getResolvedSignature(call)?.parameters ?? []
    return call.arguments.some((given, place) => {
      const parameter = wanted[place]
      return (
        parameter !== undefined &&
        asks(checker.getTypeAtLocation(given)) &&
        !asks(checker.getTypeOfSymbolAtLocation(parameter, call))
      )
    })
  }

  const places: string[] = []
  function look(node: ts.Node): void {
    ts.forEachChild(node, look)
    if (!ts.isCallExpression(node)) return
    const isLost = isQuery(checker.getTypeAtLocation(node)) && !isPerformed(node)
    if (isLost || isForgotten(node))
      places.push(`${relative(folder, node.getSourceFile().fileName)}: ${node.getText()}`)
  }
  for (const file of program.getSourceFiles()) if (file.fileName.startsWith(folder)) look(file)
  return places
}

// The types of the whole program are worked out, which takes five seconds on a machine that does nothing else.
it('performs every query it makes', { timeout: 60_000 }, () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(folder, file))
  expect(unperformed(programOf(files))).toEqual([])
})

it.each([
  ['db.run(sql)'],
  ['if (hasNode(db, 1)) yield* db.run(sql)', 'hasNode(db, 1)'],
  ['const isThere = hasNode(db, 1) !== undefined', 'hasNode(db, 1)'],
  ['const all = [hasNode(db, 1)]', 'hasNode(db, 1)'],
  ['together([hasNode(db, 1)])'],
  ['ids.forEach((id) => hasNode(db, id))'],
])('finds one that is not: %s', (line, found = line) => {
  const text = `
    import type { Database } from './sql/database/database.ts'
    import { together } from './query.ts'
    import { hasNode } from './sql/nodes/nodes.ts'
    export function* work(db: Database, ids: number[], sql: string) { ${line}; yield* hasNode(db, 2) }`
  expect(unperformed(programOf([], { [join(folder, 'example.ts')]: text }))).toEqual([`example.ts: ${found}`])
})
