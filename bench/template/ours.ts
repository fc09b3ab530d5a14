// Troupe's side of the template bench: graphs as templates, whose steps are done by a worker that does nothing.
import { loadTemplate, template, worker, type Definition } from 'troupe'
import { templateText, type Graph } from './graphs.ts'

export const work = worker('work', {}, (_ctx, { i }: { readonly i: number }) => ({ ok: true, i }))

/** By way of its text, so that what reads people's templates reads this one. */
export function templateOf(graph: Graph): Definition<unknown> {
  return template(loadTemplate(templateText(graph), { format: 'json' }).template)
}
