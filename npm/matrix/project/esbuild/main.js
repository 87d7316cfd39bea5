import { Client } from 'server-state-sync';
import { chat } from '../chat.js';

chat(Client);
