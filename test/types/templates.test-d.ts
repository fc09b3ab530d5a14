// What the types say of templates that are built; checked by the compiler, never executed.
import { template, worker, type TemplateBuilder } from 'troupe'

const charge = worker('charge', {}, (_ctx, order: { total: number }) => `charged ${order.total}`)
const tick = worker('tick', {}, () => 7)
const any = worker('any', {}, (_ctx, given: unknown) => typeof given)

template('order', {}, (t: TemplateBuilder<{ total: number }>) => {
  const ticked = t.step('tick', tick)
  t.step('any', any)
  t.step('any too', any, { needs: [ticked] })
  // @ts-expect-error it takes an order
  t.step('charge', charge)
  // @ts-expect-error it takes an order
  t.step('charge', charge, { needs: [ticked] })
  // @ts-expect-error the total is a number
  t.step('charge', charge, { with: () => ({ total: '7' }) })
  const charged = t.step('charge', charge, { needs: [ticked], with: ({ steps }) => ({ total: steps.tick }) })
  t.step('end', any, { needs: [charged], with: ({ steps }) => steps.charge.toUpperCase() })
  // @ts-expect-error it does not need that step
  t.step('else', any, { needs: [charged], with: ({ steps }) => steps.tick })
  return charged
})
