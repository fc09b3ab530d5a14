// A batch as a store with codecs writes it.
import { placeOfAttempt, writeWait, type Places } from './coded-views.ts'
import type { Batch } from './store.ts'

/** Lists without anything are as they were. */
export function codeBatch(places: Places, batch: Batch): Batch {
  return {
    ...batch,
    ...fromOutside(places, batch),
    steps: each(batch.steps, places.ofStep),
    children: each(batch.children, (child) => ({ ...child, start: places.ofStart(child.start) })),
    turns: each(batch.turns, (turn) => ({ ...turn, value: places.write(turn.value, `step:${turn.path}`) })),
    attempts: each(batch.attempts, (one) => ({
      ...one,
      error: places.writeError(one.error, placeOfAttempt(one.path)),
      events: one.events?.map(places.ofEvent),
    })),
    emits: each(batch.emits, (emit) => ({ ...emit, value: places.write(emit.value, 'emitted') })),
    logs: each(batch.logs, (line) => ({
      ...line,
      text: places.write(line.text, 'log'),
      fields: line.fields === null ? null : places.write(line.fields, 'log'),
    })),
    states: each(batch.states, (state) => ({
      ...state,
      value: state.value === null ? null : places.write(state.value, `state:${state.key}`),
    })),
    refusals: each(batch.refusals, (refusal) => ({
      ...refusal,
      why: refusal.ask === undefined ? places.write(refusal.why, 'refusal') : places.writeError(refusal.why, 'answer'),
    })),
    handled: each(batch.handled, places.ofHandled),
    settles: each(batch.settles, (settle) => ({
      ...settle,
      value:
        settle.outcome === 'succeeded'
          ? places.write(settle.value, 'outcome')
          : places.writeError(settle.value, 'outcome'),
    })),
    undoes: each(batch.undoes, (undo) => ({ ...undo, value: places.writeError(undo.value, 'outcome') })),
    parks: each(batch.parks, (park) => ({ ...park, waits: park.waits.map((wait) => writeWait(places, wait)) })),
    continues: each(batch.continues, (one) => ({ ...one, input: places.write(one.input, 'input') })),
    upgrades: each(batch.upgrades, (upgrade) => ({
      ...upgrade,
      input: places.write(upgrade.input, 'input'),
      steps: upgrade.steps.map(({ path, value }) => ({ path, value: places.write(value, `step:${path}`) })),
    })),
  }
}

/** What no run of this node says. */
function fromOutside(places: Places, batch: Batch): Pick<Batch, 'starts' | 'completions' | 'tells' | 'cancels'> {
  return {
    starts: each(batch.starts, places.ofStart),
    completions: each(batch.completions, (one) => ({ ...one, result: one.result && places.ofResult(one.result) })),
    tells: each(batch.tells, places.ofTell),
    cancels: each(batch.cancels, (cancel) => places.cancelled(cancel)),
  }
}

function each<Item>(items: readonly Item[], change: (item: Item) => Item): readonly Item[] {
  return items.length === 0 ? items : items.map(change)
}
