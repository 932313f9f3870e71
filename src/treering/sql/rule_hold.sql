-- Keep everybody from appending until this transaction ends.
select from head for update
