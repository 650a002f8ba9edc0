/** The options of `session()` from the settings of Flask and Flask-Session. */
export { settings } from './settings.js'
export type { SettingsSource } from './names.js'
