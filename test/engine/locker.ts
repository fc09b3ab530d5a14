// Another process that holds the write lock of a store file until its input ends.
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'

const driver = await openDriver(process.argv[2] ?? '')
driver.exec('pragma busy_timeout = 5000')
driver.exec('begin immediate')
process.stdout.write('locked\n')
for await (const _ of process.stdin);
driver.exec('rollback')
driver.close()
