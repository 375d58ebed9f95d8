#!/usr/bin/env ruby
# A dagwood worker in Ruby, written from docs/PROTOCOL.md ("A solo"): one process, one connection, one task at a time.
#
#     apt-get install ruby ruby-ffi-rzmq ruby-msgpack
#     ruby examples/worker.rb --connect ipc:///tmp/hub [--key FILE --server-key FILE.pub] [--tag NAME=VALUE]
#
# The main thread owns the connection and says that the process is there; another one runs the processors, so that a long task is no
# silence. A processor is a lambda of a call that returns its output, any value of msgpack. SIGTERM drains.
trap("TERM") { $drained = true } # before all that takes its time
require "ffi-rzmq"
require "msgpack"
require "optparse"
require "securerandom"
require "socket"

HELLO, WELCOME, REFUSED, TASKS, ANSWERS, CANCEL, STOP, BYE, BEAT, DRAIN, REPLACE = 0, 1, 2, 3, 4, 5, 6, 10, 15, 16, 17
MORE, DONE, FAILED, RETURNED = 0, 1, 2, 3 # how an answer goes on
VERSION, SOLO, CREDIT, LATE_S, LARGE_BYTES = 3, 5, 256, 0.001, 65_536

# ---- Processors: add yours. call has payload, options, id, node (its number), dependencies (id => [output, metadata]), cancelled; metadata
# may be set. To fail: raise Failure.new(code, "why"), code from 1 to 999. ----

Call = Struct.new(:payload, :options, :id, :node, :dependencies, :cancelled, :metadata)

class Failure < StandardError
  attr_reader :code

  def initialize(code, why)
    super(why)
    @code = code
  end
end

PROCESSORS = {
  "identity" => ->(call) { call.payload },
  "reverse_text" => ->(call) { call.payload.reverse },
  "sleep" => lambda do |call| # option ms
    ends = now + call.options.fetch("ms", 0) / 1000.0
    sleep 0.005 until call.cancelled.call || now >= ends
    call.payload
  end,
}

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

# ---- A head: values of msgpack one behind another. It is read here, because none of its counts may be believed. ----

class Nonsense < StandardError; end

List = Struct.new(:count) # the header of one: its elements follow

class Head
  def initialize(frames)
    @frames, @bytes, @at = frames, frames[0].b, 0
  end

  def more? = @at < @bytes.bytesize

  def take(size)
    raise Nonsense, "#{size} bytes where there are #{@bytes.bytesize - @at}" if size > @bytes.bytesize - @at
    @at += size
    @bytes.byteslice(@at - size, size)
  end

  def number(size) = take(size).unpack1({ 1 => "C", 2 => "S>", 4 => "L>", 8 => "Q>" }[size])

  def value # text is UTF-8, bytes are BINARY
    case byte = number(1)
    when 0x00..0x7f then byte
    when 0xcc..0xcf then number(1 << byte - 0xcc)
    when 0xa0..0xbf then take(byte - 0xa0).force_encoding("UTF-8")
    when 0xd9..0xdb then take(number(1 << byte - 0xd9)).force_encoding("UTF-8")
    when 0xc4..0xc6 then take(number(1 << byte - 0xc4))
    when 0x90..0x9f then List.new(byte - 0x90)
    when 0xdc, 0xdd then List.new(number(2 << byte - 0xdc))
    when 0xc0 then nil
    else raise Nonsense, "a byte #{byte} where a value begins"
    end
  end

  def uint = value.then { |it| it.is_a?(Integer) ? it : raise(Nonsense, "no number") }

  def ref # bytes are here or in a frame, nil is nothing
    case it = value
    when nil then nil
    when Integer then it.between?(1, @frames.size - 1) ? @frames[it] : raise(Nonsense, "no frame #{it}")
    else it.is_a?(String) && it.encoding == Encoding::BINARY ? it : raise(Nonsense, "no reference to bytes")
    end
  end

  def pairs
    case list = value
    when nil then []
    when List then (2 * list.count).times.map { ref }
    else raise Nonsense, "no list"
    end
  end
end

def pack(*values) = values.map(&:to_msgpack).join.b

# ---- The thread that runs them; its inbox has messages TASKS ----

class Runner
  attr_reader :inbox, :cancelled
  attr_accessor :stopping

  def initialize(nodes, peer, largest, answers)
    @nodes, @peer, @largest, @answers, @inbox, @cancelled, @stopping, @gathered = nodes, peer, largest, answers, Queue.new, {}, false, +""
    Thread.new { run }
  end

  def run
    while (frames = @inbox.pop)
      head = Head.new(frames)
      head.uint # the type
      ticket = head.uint
      while head.more? # a task: run, node, steps, attempt, payload, what its dependencies gave
        _, node, steps, = Array.new(4) { head.uint }
        payload, given = head.ref, head.pairs
        raise Nonsense, "task #{ticket}, of node #{node}" unless @nodes[node] && steps.positive? && payload
        answer(ticket, node, steps, payload, given) unless @stopping
        ticket += 1
      end
      flush
    end
  rescue Nonsense => e # who cannot read a task cannot answer for it, and leaves
    warn "worker.rb: tasks make no sense: #{e.message}"
    flush
  ensure
    @answers.send_string("") # that it has left
    @answers.close
  end

  def answer(ticket, node, steps, payload, given)
    begun, (id, processor, options, ids) = now, @nodes[node]
    return say(ticket, 0, RETURNED, 0) if @cancelled.delete(ticket) # its answer is still waited for, but not its output
    payload, *given = [payload, *given].map { |bytes| bytes && MessagePack.unpack(bytes) }
    call = Call.new(payload, options, id, node, (ids || []).zip(given.each_slice(2)).to_h, -> { @cancelled.key?(ticket) })
    output = PROCESSORS[processor].call(call).to_msgpack.b
    raise Failure.new(413, "an output of #{output.bytesize} bytes, where #{@largest} are allowed") if output.bytesize > @largest
    say(ticket, 0, steps == 1 ? DONE : MORE, spent(begun), 1, output, call.metadata&.to_msgpack&.b)
    say(ticket, 1, RETURNED, 0) if steps > 1 # of a chain of nodes the first is done, the others are given back
  rescue StandardError, SystemStackError => e
    say(ticket, 0, FAILED, spent(begun), e.is_a?(Failure) ? e.code : 500, "#{e.class}: #{e.message}"[0, 2000])
  ensure
    @cancelled.delete(ticket)
    flush if now > @late || @gathered.bytesize > LARGE_BYTES
  end

  def spent(begun) = ((now - begun) * 1e9).to_i

  def say(*values)
    @gathered, @late = pack(ANSWERS, @peer), now + LATE_S if @gathered.empty?
    @gathered << pack(*values)
  end

  def flush
    @answers.send_string(@gathered) unless @gathered.empty?
    @gathered = +""
  end
end

# ---- The connection ----

def finish(status, why)
  warn "worker.rb: #{why}"
  exit status
end

def key(file, which) # of `dagwood keygen`
  File.read(file)[/^\s*#{which} = (\S+)/, 1] || finish(77, "#{file}: it has no #{which} key of `dagwood keygen`")
rescue SystemCallError => e
  finish(77, "#{file}: it cannot be read: #{e.message}")
end

class Connection
  def initialize(context, options, uuid, incarnation)
    @socket, @answers, @runners = [ZMQ::DEALER, ZMQ::PAIR, ZMQ::PAIR].map { |type| context.socket(type) }
    [@socket, @answers, @runners].each { |socket| [ZMQ::SNDHWM, ZMQ::RCVHWM].each { |option| socket.setsockopt(option, 0) } }
    @socket.setsockopt(ZMQ::LINGER, 200)
    @answers.bind("inproc://#{incarnation}")
    @runners.connect("inproc://#{incarnation}")
    own, server = options.values_at(:key, :"server-key")
    keys = [[ZMQ::CURVE_PUBLICKEY, own, "public"], [ZMQ::CURVE_SECRETKEY, own, "secret"], [ZMQ::CURVE_SERVERKEY, server, "public"]]
    (own ? keys : []).each do |option, file, which|
      finish(77, "#{file}: its #{which} key is none") if @socket.setsockopt(option, key(file, which)).negative?
    end
    if @socket.connect(options[:connect]).negative?
      finish(64, "\"#{options[:connect]}\" is no endpoint to connect to (#{ZMQ::Util.error_string}): tcp://HOST:PORT, or ipc://FILE")
    end
    tags = options[:tags].flat_map { |tag| tag.split("=", 2) }
    say(HELLO, "dagwood", VERSION, VERSION, SOLO, ("\0" * 16).b, 0, CREDIT, uuid, incarnation, 1, Process.pid, Socket.gethostname.force_encoding("UTF-8"),
        PROCESSORS.keys, tags.first(tags.size / 2), *tags.drop(tags.size / 2)) # the header says n, and 2 n values follow
    @heartbeat, @silence = 1.0, 3.0
  end

  def say(*values) = @socket.send_string(pack(*values))

  # Until it is over: an exit status, or nil: make another connection.
  def serve
    poller, heard, beat, drained = ZMQ::Poller.new, now, 0, false
    [@socket, @answers].each { |socket| poller.register_readable(socket) }
    while now - heard < @silence
      poller.poll([@heartbeat * 500, 200].min.to_i)
      if @answers.recv_string(answers = +"", ZMQ::DONTWAIT) >= 0
        @socket.send_string(answers.empty? ? pack(BYE, @peer) : answers)
        return @runner.stopping ? 0 : nil if answers.empty? # nothing is said behind BYE
      end
      if @socket.recv_strings(frames = [], ZMQ::DONTWAIT) >= 0
        heard = now
        status = hear_out(frames)
        return status if status != :go_on
      end
      next unless @runner
      beat = now + @heartbeat if now >= beat && say(BEAT, @peer)
      drained = say(DRAIN, @peer) if $drained && !drained # it will be told STOP
    end
  end

  def hear_out(frames)
    hear(frames, Head.new(frames))
  rescue Nonsense, MessagePack::UnpackError, EOFError => e # with another answer to HELLO it ends; what comes behind is passed over
    warn "worker.rb: #{e.message}"
    @runner ? :go_on : 76
  end

  def hear(frames, head)
    case head.uint
    when WELCOME then welcome(*Array.new(4) { head.uint }, MessagePack.unpack(head.ref || "")) unless @runner
    when TASKS then @runner&.inbox&.push(frames)
    when CANCEL
      ticket = head.uint
      @runner.cancelled[ticket] = true unless head.more? && head.uint.positive? # its first steps are still waited for
    when STOP then stop # after the task that it is at
    when REPLACE then return head.uint && nil # it is forgotten, and may come again
    when REFUSED
      code, text = head.uint, head.value
      warn "worker.rb: refused: #{text} (#{code})"
      return { 503 => nil, 403 => 77, 404 => 78 }.fetch(code, 76)
    end
    :go_on
  end

  def welcome(peer, heartbeat, silence, largest, nodes)
    raise Nonsense, "a pulse that makes no sense" unless heartbeat >= 1 && silence >= 2 * heartbeat
    @peer, @heartbeat, @silence = peer, heartbeat / 1000.0, silence / 1000.0
    @runner = Runner.new(nodes.to_h { |node, *told| [node, told] }, peer, largest, @runners)
    warn "worker.rb: serves #{nodes.map { |node| node[1] }.join(" ")}"
  end

  def stop
    return unless @runner
    @runner.stopping = true
    @runner.inbox.push(nil)
  end

  def close
    stop # who is stuck in a processor stays there, and nobody hears of it
    [@socket, @answers].each(&:close)
    @runners.close unless @runner
  end
end

options = { tags: [] }
begin
  OptionParser.new do |parser|
    %w[connect key server-key].each { |name| parser.on("--#{name} VALUE") { |value| options[name.to_sym] = value } }
    parser.on("--tag NAME=VALUE", /.+=.*/) { |tag| options[:tags] << tag }
  end.parse!
rescue OptionParser::ParseError => e
  finish(64, e.message)
end
finish(64, "where is the coordinator? --connect ENDPOINT") unless options[:connect]
finish(64, "--key and --server-key go together") if options.key?(:key) != options.key?(:"server-key")
context, uuid = ZMQ::Context.new, SecureRandom.bytes(16)
(1..).each do |incarnation| # of one uuid the coordinator listens to the latest alone
  connection = Connection.new(context, options, uuid, incarnation)
  status = connection.serve
  connection.close
  if status || $drained
    sleep 0.2 # for what was said last to leave
    exit! status || 0
  end
  sleep [0.1 * incarnation, 3].min
end
