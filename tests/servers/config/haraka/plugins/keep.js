// SPDX-License-Identifier: GPL-3.0-or-later
// Writes each message to a file, as its last stage.
const { createWriteStream } = require('node:fs')

exports.hook_queue_outbound = (next, connection) => {
    const file = createWriteStream(`${process.env.ARRIVED}/${connection.transaction.uuid}`)
    file.once('close', () => next(OK))
    connection.transaction.message_stream.pipe(file)
}
