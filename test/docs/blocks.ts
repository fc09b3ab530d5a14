// Finds the examples: every ```ts block of the pages and of the docstrings.

import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface Block {
  readonly file: string
  /** Line of its first line in the file, from 1. */
  readonly line: number
  readonly code: string
  /** False for a block that opens with `ts no-run`: it is checked by the compiler only. */
  readonly runs: boolean
}

const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']

/** The examples of the whole project. */
export function allBlocks(): Block[] {
  const guides = filesIn('docs').filter((file) => file.endsWith('.md'))
  const sources = filesIn('src').filter((file) => file.endsWith('.ts'))
  return [...pages, ...guides, ...sources].flatMap((file) => blocksOf(file, readFileSync(file, 'utf8')))
}

/** The examples of one file; a `.ts` file holds them in its docstrings. */
export function blocksOf(file: string, text: string): Block[] {
  const margin = file.endsWith('.ts') ? /^\s*\* ?/ : /^/
  const blocks: Block[] = []
  let open: { readonly line: number; readonly runs: boolean; readonly code: string[] } | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const fence = margin.test(raw) ? /^```(.*)$/.exec(raw.replace(margin, '').trimEnd())?.[1] : undefined
    if (open === undefined) open = fence === undefined ? undefined : opened(`${file}:${index + 1}`, index + 2, fence)
    else if (fence === undefined) open.code.push(raw.replace(margin, ''))
    else {
      if (open.line > 0) blocks.push({ file, line: open.line, code: open.code.join('\n'), runs: open.runs })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${file} has a block that never closes`)
  return blocks
}

/** Line 0 stands for a block in another language. */
function opened(where: string, line: number, info: string) {
  if (/^(typescript|tsx|js|javascript)\b/.test(info)) throw new Error(`${where}: say \`ts\`, so that the block is run`)
  if (!/^ts\b/.test(info)) return { line: 0, runs: false, code: [] }
  if (info !== 'ts' && info !== 'ts no-run')
    throw new Error(`${where}: \`${info}\` is neither \`ts\` nor \`ts no-run\``)
  return { line, runs: info === 'ts', code: [] }
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((file) => `${folder}/${file}`)
}
