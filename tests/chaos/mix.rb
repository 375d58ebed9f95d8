# mix.rb - what load.c has done, by the worker of examples/worker.rb, which foreign.c puts behind it: the same bytes, whoever runs it.
MASK, PRIME = (1 << 64) - 1, 0x100000001b3

class SplitMix # SplitMix64, as tests/support/random.h
  def initialize(seed)
    @state = seed
    @state = draw
  end

  def draw
    z = @state = (@state + 0x9e3779b97f4a7c15) & MASK
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
    z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
    z ^ z >> 31
  end

  def below(below) = (draw >> 32) * below >> 32
end

def hash_on(value, data) # FNV-1a, as random_hash
  value = (value ^ (data ? 1 : 0)) * PRIME & MASK
  data&.each_byte { |byte| value = (value ^ byte) * PRIME & MASK }
  (value ^ (data ? data.bytesize : 0)) * PRIME & MASK
end

MIX = lambda do |call|
  value = hash_on(hash_on(0xcbf29ce484222325, [call.node].pack("V")), call.payload.to_msgpack)
  call.dependencies.each_value { |output, metadata| value = hash_on(hash_on(value, output.to_msgpack), metadata["sum"]) }
  random = SplitMix.new(value)
  (random.below(2).zero? ? random.below(6) : 0).times do
    sleep 0.0009
    raise Failure.new(499, "cancelled") if call.cancelled.call
  end
  length = random.below(16).zero? ? 1000 + random.below(8000) : random.below(200)
  call.metadata = { "sum" => value.to_s(16) }
  Array.new(length) { random.below(256) }.pack("C*")
end
