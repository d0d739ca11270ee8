import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { createQueryClient } from '../api/query-client.ts';
import { ApiFailure } from '../api/request.ts';
import { parseCallSearch } from '../features/calls/call-search.ts';
import { parseBack } from '../features/session/back.ts';
import { sessionQuery } from '../features/session/session-query.ts';
import { CrashPage } from './crash-page.tsx';
import { Layout } from './layout.tsx';
import { NotFoundPage } from './not-found-page.tsx';

/** The cache of everything fetched; signing out anywhere leads to the sign-in page and back. */
export const queryClient = createQueryClient(() => {
  const { pathname, href } = router.state.location;
  if (pathname !== '/sign-in') void router.navigate({ to: '/sign-in', search: { back: href } });
});

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: parseBack,
  component: lazyRouteComponent(() => import('../features/session/sign-in-page.tsx'), 'SignInPage'),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  component: Layout,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 401) {
        throw redirect({ to: '/sign-in', search: { back: location.href } });
      }
      throw error;
    }
  },
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/campaigns' });
  },
});

const campaigns = createRoute({
  getParentRoute: () => signedIn,
  path: '/campaigns',
  component: lazyRouteComponent(() => import('../features/campaigns/campaign-list-page.tsx'), 'CampaignListPage'),
});

const newCampaign = createRoute({
  getParentRoute: () => signedIn,
  path: '/campaigns/new',
  component: lazyRouteComponent(() => import('../features/campaigns/wizard/wizard-page.tsx'), 'WizardPage'),
});

const campaign = createRoute({
  getParentRoute: () => signedIn,
  path: '/campaigns/$campaignId',
  component: lazyRouteComponent(() => import('../features/campaigns/live/live-page.tsx'), 'LivePage'),
});

const calls = createRoute({
  getParentRoute: () => signedIn,
  path: '/calls',
  validateSearch: parseCallSearch,
  component: lazyRouteComponent(() => import('../features/calls/call-list-page.tsx'), 'CallListPage'),
});

const call = createRoute({
  getParentRoute: () => signedIn,
  path: '/calls/$callId',
  component: lazyRouteComponent(() => import('../features/calls/call-page.tsx'), 'CallPage'),
});

const suppressions = createRoute({
  getParentRoute: () => signedIn,
  path: '/suppressions',
  component: lazyRouteComponent(() => import('../features/suppressions/suppression-page.tsx'), 'SuppressionPage'),
});

/** Where every page of the console is. */
export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    signedIn.addChildren([home, campaigns, newCampaign, campaign, calls, call, suppressions]),
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: CrashPage,
  defaultNotFoundComponent: NotFoundPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
