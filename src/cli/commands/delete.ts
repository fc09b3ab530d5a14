// `troupe delete`: deletes runs that have ended, before their time.
import { runOutcomes } from '../../model/run.ts'
import { addCommand, addWhere, type Shell } from '../command.ts'
import { doToMany, type Doing, type ManyFlags } from '../many-runs.ts'
import { failures } from '../state-words.ts'
import { addBy } from '../who.ts'

export function addDelete(shell: Shell): void {
  const command = addCommand<ManyFlags>(shell, {
    name: 'delete',
    takes: '[ID...]',
    summary: 'delete runs that have ended',
    description:
      'Deletes runs by their ids, or all that a filter finds and that have ended, with their steps, messages, logs and values. Statistics go on counting them.',
    help,
    perform: (flags, ids, io) => doToMany(doing, { ids, flags }, io),
  })
  addBy(addWhere(command, [...runOutcomes, ...Object.keys(failures)]))
    .argument('[id...]', 'their ids, or at least the first 8 characters of each')
    .option('--dry-run', 'only count what the filter finds')
}

const help = `Examples:
  troupe delete 0197f3a2-5c1e
  troupe delete --name import --state failed --dry-run
  troupe delete --tag customer-17`

const doing: Doing = {
  action: 'delete',
  one: (troupe, id, who) => troupe.delete(id, who),
  would: 'deleted',
  done: 'deleted',
  nothing: 'Nothing to delete: only runs that have ended are. See them: troupe runs',
  seeFirst: 'See them: troupe runs',
}
