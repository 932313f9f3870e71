-- Append all requests of one call, or none; the parameters are those of the function, in its order.
-- Columns travel as one text each, which a client joins much faster than it encodes an array, and
-- those of which there is nothing as null.
select base, at, trouble
  from append(
         parts($1)::uuid[], parts($2), parts($3)::int[], parts($4), parts($5),
         parts($6), parts($7), parts($8), parts($9), parts($10), $11,
         parts($12)::int[], parts($13), parts($14), parts($15)::int[], parts($16)::int[],
         parts($17)::int[], parts($18), parts($19), $20, parts($21)::"char"[],
         parts($22), parts($23)::int[], parts($24)::int[], parts($25)::int[], parts($26), parts($27),
         parts($28), parts($29),
         parts($30)::int[], parts($31), parts($32),
         parts($33)::int[], parts($34), parts($35), parts($36), parts($37),
         parts($38)::int[], parts($39), parts($40), parts($41),
         parts($42), parts($43)::int[], $44)
