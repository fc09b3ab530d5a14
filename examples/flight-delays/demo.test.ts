import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

it('the demo refuses an option that it does not know, and makes nothing', () => {
  const demo = ['--import', 'jiti/register', 'examples/flight-delays/demo.ts', '--bogus']
  const { status, stdout, stderr } = spawnSync(process.execPath, demo, { encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: "demo: '--bogus' is not known: say nothing, or --crash\n",
  })
})
