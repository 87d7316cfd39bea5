import { version } from 'server-state-sync'; // on the server
import Chat from './chat.jsx'; // the README's, as a client component

export default function Page() {
  return <main title={version}><Chat /></main>;
}
