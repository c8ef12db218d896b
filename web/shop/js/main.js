// The shop's scripts. Every page works without them; with them a change needs no new page, and shows before the server has answered.

import { find } from './find.js';
import { live } from './live.js';
import { steppers } from './quantity.js';
import { forms } from './send.js';

document.documentElement.classList.add('with-js');
forms();
steppers();
find();
live();
