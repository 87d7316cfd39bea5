// Renders a component of the React entry in a test runner's page, and returns what it shows when the state is there.
import { createElement, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { StateProvider, SyncProvider, useSharedState } from 'server-state-sync/react';

export async function mount(endpoint, options) {
  const box = document.body.appendChild(document.createElement('div'));
  const root = createRoot(box);
  await new Promise((resolve) => {
    const First = () => {
      const [messages] = useSharedState('messages', []);
      useEffect(() => { if (messages.length > 0) resolve(); });
      return messages[0];
    };
    root.render(createElement(SyncProvider, { endpoint, clientIdentifier: 'me', options },
      createElement(StateProvider, { state: process.env.STATESYNC_STATE }, createElement(First))));
  });
  const text = box.textContent;
  root.unmount();
  return text;
}
