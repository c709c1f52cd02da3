import type { AdminRoute } from '../route.ts'
import { sessionRoutes } from './session.ts'

/** The routes of the operator's API. A test calls each with every scope. */
export const routes: readonly AdminRoute[] = [...sessionRoutes]
