import { expect, it } from 'vitest'
import { placeOf, withoutPassword } from './place.ts'

it.each([
  ['postgres://app:secret@db:5432/app', 'postgres://app:***@db:5432/app'],
  ['postgres://app@db/app?password=secret', 'postgres://app@db/app?password=***'],
  [
    'postgres://db/app?user=app&password=secret&schema=billing',
    'postgres://db/app?user=app&password=***&schema=billing',
  ],
  ['postgres://app:secret@db/app?sslpassword=secret', 'postgres://app:***@db/app?sslpassword=***'],
  ['postgres://db/app?password=secret&password=secret', 'postgres://db/app?password=***'],
  ['postgres://db/app?pass%77ord=secret', 'postgres://db/app?password=***'],
])('shows %s without its password, and gives it to the driver', (url, shown) => {
  const place = placeOf(url)
  expect([place.shown, place.url.includes('secret')]).toEqual([shown, true])
})

it.each([
  ['postgres://app:secret@db:99999999/app', 'postgres://app:***@db:99999999/app'],
  ['postgres://app:se/cr:et@db/app', 'postgres://app:***@db/app'],
  ['postgres://app:se@cret@db:x/app', 'postgres://app:***@db:x/app'],
  ['mysql://db/app?user=app&password=secret&x=1', 'mysql://db/app?user=app&password=***&x=1'],
  ['postgres//db?Password=secret', 'postgres//db?Password=***'],
  ['app:secret@db/app', 'app:***@db/app'],
  ['sqlite::memory:', 'sqlite::memory:'],
])('shows %s without its password, however wrong it is', (url, shown) => {
  expect(withoutPassword(url)).toBe(shown)
})
