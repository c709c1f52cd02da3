import { LocationProvider } from 'preact-iso/router'
import { render } from 'preact'

import { App } from './app.tsx'

render(
  <LocationProvider>
    <App />
  </LocationProvider>,
  document.body
)
