import { sqliteStore } from '../../docs/examples/sqlite-store.js'

/** What a server of the races opens: the example on a file. */
export default sqliteStore
