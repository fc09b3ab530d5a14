// `troupe templates`: which there are, whether they are right, how they go, what has changed, and what they look like.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { counted } from '../../lib/text.ts'
import { diff } from '../../template/plan/diff.ts'
import { mermaid } from '../../template/plan/mermaid.ts'
import { criticalPath, levelsOf, planOf } from '../../template/plan/plan.ts'
import { svg } from '../../template/plan/svg.ts'
import type { Template, TemplateStep } from '../../template/model/template.ts'
import { nameOf, shortHash, titleOf } from '../../template/model/title.ts'
import { addCommand, type Shell } from '../command.ts'
import type { CommonFlags } from '../config.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { oneLine, paintFor } from '../paint.ts'
import { readSound } from '../template-files.ts'
import { checkVerb, usage } from '../usage.ts'
import { printJson } from '../values.ts'
import { padStart, wrap } from '../width.ts'
import { listCommand } from './templates-list.ts'
import { validateCommand, type ValidateFlags } from './templates-validate.ts'

interface FileFlags extends CommonFlags {
  readonly environment?: string
}

interface GraphFlags extends FileFlags {
  readonly svg?: boolean
  readonly mermaid?: boolean
  readonly output?: string
}

const verbs = ['list', 'validate', 'plan', 'diff', 'graph']

export function addTemplates(shell: Shell): void {
  const program = addCommand<CommonFlags>(shell, {
    name: 'templates',
    takes: `[${verbs.join('|')}]`,
    summary: 'list templates, check them, show their plan, changes, graph',
    description:
      'Lists the templates that the store keeps: whoever has their handlers performs their runs. Those that are started by their name say so. To check files and see what is in them, give a verb; - is standard input.',
    help,
    perform: async (flags, operands, io) => {
      checkVerb('troupe templates', operands, verbs)
      return listCommand(flags, io)
    },
  }).allowExcessArguments()
  const below: Shell = { ...shell, program }
  addCommand<CommonFlags>(below, {
    name: 'list',
    description: 'Lists the templates that the store keeps.',
    perform: (flags, _operands, io) => listCommand(flags, io),
  })
  const environment = ['--environment <name>', 'what templates say of this environment holds'] as const
  addCommand<ValidateFlags>(below, {
    name: 'validate',
    takes: '[FILE…]',
    description:
      'Tells everything that is wrong with templates, with file, line and column; without FILE with those of ./templates. Steps may use what is defined here. Exits with 1 when one would not load.',
    perform: (flags, files, io) => validateCommand(files, flags, io),
  })
    .argument('[file...]', 'files of templates, or folders')
    .option('--allow-unknown-handlers', 'steps may use workers that are not here')
    .option(...environment)
  addCommand<FileFlags>(below, {
    name: 'plan',
    takes: 'FILE',
    description: 'Shows which steps can be done at one time, level by level, and the longest way through.',
    perform: (flags, [file = ''], io) => planCommand(file, flags, io),
  })
    .argument('<file>', 'a template')
    .option(...environment)
  addCommand<FileFlags>(below, {
    name: 'diff',
    takes: 'BEFORE AFTER',
    description: 'Tells in words what has changed from one template to another.',
    perform: (flags, files, io) => diffCommand(files, flags, io),
  })
    .argument('<before>', 'a template')
    .argument('<after>', 'what became of it')
    .option(...environment)
  addCommand<GraphFlags>(below, {
    name: 'graph',
    takes: 'FILE',
    description: 'Draws the graph of a template, as Mermaid unless told.',
    perform: (flags, [file = ''], io) => graphCommand(file, flags, io),
  })
    .argument('<file>', 'a template')
    .option('--svg', 'as a picture')
    .option('--mermaid', 'as text for Mermaid')
    .option('-o, --output <file>', 'into a file; one that ends in .svg is a picture')
    .option(...environment)
}

const help = `Examples:
  troupe templates validate
  troupe templates validate order.yaml --allow-unknown-handlers
  troupe templates plan order.yaml
  troupe templates diff <(git show HEAD:order.yaml) order.yaml
  troupe templates graph order.yaml -o order.svg`

async function planCommand(file: string, flags: FileFlags, io: Io): Promise<ExitCode> {
  const [template] = (await readSound([file], flags.environment, io)) ?? []
  if (template === undefined) return exitCodes.runFailed
  const plan = planOf(template.steps)
  const [levels, path] = [levelsOf(plan), criticalPath(plan).steps]
  if (flags.json === true)
    printJson({ ...titleOf(template), steps: template.steps.length, levels, criticalPath: path }, io)
  else io.stdout.write(`${drawPlan(template, { levels, path }, io).join('\n')}\n`)
  return exitCodes.ok
}

interface Ways {
  readonly levels: readonly (readonly string[])[]
  readonly path: readonly string[]
}

function drawPlan(template: Template, { levels, path }: Ways, { stdout, env }: Io): string[] {
  const paint = paintFor(stdout, env)
  const { version, hash, steps } = template
  const byName = new Map(steps.map((step) => [step.name, step]))
  const head = `${paint('bold', oneLine(nameOf(template)))} ${oneLine(version)}  ${paint('dim', shortHash(hash))}`
  const gutter = 'LEVEL  '
  const rows = levels.flatMap((names, level) => {
    const text = names.map((name) => shownStep(name, byName.get(name))).join(', ')
    const [first = '', ...rest] = wrap(text, stdout.columns - gutter.length)
    return [`${padStart(String(level + 1), 5)}  ${first}`, ...rest.map((line) => `${' '.repeat(gutter.length)}${line}`)]
  })
  const way = `Longest way (${counted(path.length, 'step')}): ${path.map(oneLine).join(' → ')}`
  return [
    `${head}  ${counted(steps.length, 'step')}, ${counted(levels.length, 'level')}`,
    '',
    paint('dim', `${gutter}STEPS`),
    ...rows,
    '',
    ...wrap(way, stdout.columns),
  ]
}

function shownStep(name: string, step: TemplateStep | undefined): string {
  const kinds = [step?.role === 'standard' ? undefined : step?.role, step?.forEach && 'each item'].filter(Boolean)
  return kinds.length === 0 ? oneLine(name) : `${oneLine(name)} (${kinds.join(', ')})`
}

async function diffCommand(files: readonly string[], flags: FileFlags, io: Io): Promise<ExitCode> {
  const [before, after] = (await readSound(files, flags.environment, io)) ?? []
  if (before === undefined || after === undefined) return exitCodes.runFailed
  const changes = diff(before, after)
  if (flags.json === true) printJson({ before: titleOf(before), after: titleOf(after), changes }, io)
  else if (changes.length === 0) io.stderr.write('They say the same.\n')
  else io.stdout.write(`${changes.flatMap((line) => wrap(oneLine(line), io.stdout.columns)).join('\n')}\n`)
  return exitCodes.ok
}

/** Throws `usage`. */
async function graphCommand(file: string, flags: GraphFlags, io: Io): Promise<ExitCode> {
  if (flags.svg === true && flags.mermaid === true) throw usage('Give one of --svg and --mermaid')
  const [ending] = /\.(png|gif|jpe?g|webp|pdf)$/i.exec(flags.output ?? '') ?? []
  if (ending !== undefined) throw usage(`A picture is drawn as SVG, not as ${ending}: name a file that ends in .svg`)
  const [template] = (await readSound([file], flags.environment, io)) ?? []
  if (template === undefined) return exitCodes.runFailed
  const isPicture = flags.svg ?? (flags.mermaid !== true && flags.output?.endsWith('.svg') === true)
  const graph = isPicture ? svg(template) : mermaid(template)
  if (flags.output !== undefined) write(resolve(io.folder, flags.output), graph)
  if (flags.json === true) {
    const where = flags.output === undefined ? { graph } : { file: flags.output }
    printJson({ ...titleOf(template), format: isPicture ? 'svg' : 'mermaid', ...where }, io)
  } else if (flags.output === undefined) io.stdout.write(graph)
  return exitCodes.ok
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw usage(`${path} could not be written: ${String((error as Error).message)}`)
  }
}
