// SPDX-License-Identifier: GPL-3.0-or-later
const { createWriteStream, readFileSync } = require('node:fs')
const { SMTPServer } = require('smtp-server')

const pem = readFileSync('etc/server.pem')
let number = 0

const server = new SMTPServer({
    key: pem,
    cert: pem,
    authMethods: ['PLAIN'],
    onAuth: ({ username, password }, _session, done) =>
        username === '@USERNAME@' && password === '@PASSWORD@'
            ? done(null, { user: username })
            : done(new Error('Invalid username or password')),
    onData: (stream, _session, done) => {
        number += 1
        const name = `message${number}`
        stream.pipe(createWriteStream(`${process.env.ARRIVED}/${name}`)).once('close', () => done(null, `Queued as ${name}`))
    },
})
server.on('error', (error) => console.error(error.message)) // a client that breaks off must not end it
server.listen(@PORT@, '127.0.0.1')
