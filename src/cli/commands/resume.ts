// `troupe resume`: lets runs that were set aside be tried at once, by their ids or by what they have in common.
import { addCommand, addWhere, type Shell } from '../command.ts'
import { doToMany, type Doing, type ManyFlags } from '../many-runs.ts'
import { addBy } from '../who.ts'

export function addResume(shell: Shell): void {
  const command = addCommand<ManyFlags>(shell, {
    name: 'resume',
    takes: '[ID...]',
    summary: 'let runs be tried at once that were set aside',
    description:
      'Lets runs be tried at once that were set aside as their code did not fit what they did, by their ids, or all that a filter finds. A queue is resumed by: troupe queues resume NAME.',
    help,
    perform: (flags, ids, io) => doToMany(doing, { ids, flags }, io),
  })
  addBy(addWhere(command, ['parked']))
    .argument('[id...]', 'their ids, or at least the first 8 characters of each')
    .option('--dry-run', 'only tell what the filter finds')
}

const help = `Examples:
  troupe show 0197f3a2-5c1e            see where code and journal part
  troupe resume 0197f3a2-5c1e
  troupe resume --name order --dry-run`

const doing: Doing = {
  action: 'resume',
  one: async (troupe, id, who) => troupe.resumeRun(id, who),
  would: 'resumed',
  done: 'ready to be tried',
  nothing: 'Nothing to resume: no such run was set aside. See them: troupe runs --state parked',
  seeFirst: 'See them: troupe runs --state parked',
}
