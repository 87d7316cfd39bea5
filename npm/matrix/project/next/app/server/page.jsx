// A client in a server component: the module is loaded there.
import { Client } from 'server-state-sync';
import { WebSocket } from 'ws';

export const dynamic = 'force-dynamic';

export default async function Page() {
  const client = new Client(process.env.STATESYNC_ENDPOINT, 'server', null, { WebSocket: globalThis.WebSocket ?? WebSocket });
  const state = await client.connectToState(process.env.STATESYNC_STATE);
  await client.close();
  return <p>{state.messages[0]}</p>;
}
