// maxValueBytes: how large inputs and results may be, and what is told of those that are larger.
import { expect, it } from 'vitest'
import { Troupe, worker, workflow } from '../../src/index.ts'
import { onStage, rejection } from './stage.ts'

const echo = worker('echo', {}, (_ctx, text: string) => text)
const inStep = workflow('in-step', {}, (ctx, length: number) => ctx.step('make', () => 'x'.repeat(length)))
const large = (bytes: number): string => 'x'.repeat(bytes)

it('lets inputs, outputs and steps be as large as it says', async () => {
  const { troupe } = await onStage({ definitions: [echo, inStep], maxValueBytes: 3_000_000 })
  expect((await troupe.run(echo, large(2_900_000))).length).toBe(2_900_000)
  expect((await troupe.run(inStep, 2_900_000)).length).toBe(2_900_000)
  expect(await rejection(troupe.run(inStep, 3_000_000))).toMatchObject({
    message: expect.stringMatching(/make.*limit is 3000000.*, or raise maxValueBytes of Troupe\.open\./),
  })
})

it('is a megabyte unless told, and named by the error', async () => {
  const { troupe } = await onStage({ definitions: [echo] })
  expect(await rejection(troupe.call(echo, large(1_048_576)))).toMatchObject({
    code: 'value_too_large',
    message:
      'input takes 1048579 bytes and the limit is 1048576: store it elsewhere and keep a reference to it, or raise maxValueBytes of Troupe.open.',
  })
})

it('is not named where it helps nothing', async () => {
  const { troupe } = await onStage({ definitions: [echo] })
  const { message } = await rejection(troupe.publish('event', large(300_000)))
  expect(message).toMatch(/keep a reference to it\.$/)
})

it('is refused when it is no size', async () => {
  for (const maxValueBytes of [0, 1.5, 1_000, 1e9, '1mb']) {
    expect(await rejection(Troupe.open({ maxValueBytes } as never))).toMatchObject({
      code: 'option_invalid',
      message: expect.stringMatching(/^maxValueBytes is .*: expected a whole number from 1024 to 67108864/),
    })
  }
})
