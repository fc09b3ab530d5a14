// `troupe retry`: tries runs again that failed or were cancelled, by their ids or by what they have in common.
import { addCommand, addWhere, type Shell } from '../command.ts'
import { doToMany, type Doing, type ManyFlags } from '../many-runs.ts'
import { failures } from '../state-words.ts'
import { addWhy } from '../who.ts'

export function addRetry(shell: Shell): void {
  const command = addCommand<ManyFlags>(shell, {
    name: 'retry',
    takes: '[ID...]',
    summary: 'try runs again that failed or were cancelled',
    description:
      'Tries runs again by their ids, or all that a filter finds: those that failed, unless --state says cancelled. A workflow remembers the steps that succeeded.',
    help,
    perform: (flags, ids, io) => doToMany(doing, { ids, flags }, io),
  })
  addWhy(addWhere(command, ['failed', 'cancelled', ...Object.keys(failures)]))
    .argument('[id...]', 'their ids, or at least the first 8 characters of each')
    .option('--dry-run', 'only count what the filter finds')
}

const help = `Examples:
  troupe retry 0197f3a2-5c1e
  troupe dead                          see what failed, by reason
  troupe retry --fingerprint 9f2c1d07aa31b4e6 --dry-run
  troupe retry --name order --state timed-out`

const doing: Doing = {
  action: 'retry',
  one: (troupe, id, who) => troupe.retry(id, who),
  would: 'tried again',
  done: 'ready to be tried again',
  nothing: 'Nothing to try again. See what failed: troupe dead',
  seeFirst: 'See what failed: troupe dead',
}
