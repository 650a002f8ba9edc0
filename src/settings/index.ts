/** Flask's and Flask-Session's settings, by their names. */
export { settings } from './settings.js'
export type { SettingsSource } from './names.js'
